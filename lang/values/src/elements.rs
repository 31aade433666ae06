//! Operations of a store on tables, arrays, iterators and aggregates.
//!
//! Handle 0 reads as an empty container and cannot be written.

use std::cmp::Ordering;

use crate::aggregate::{Aggregate, AggregateUpdate};
use crate::array::End;
use crate::constants::{ContainerType, ContainerTypeId, Element};
use crate::containers::Content;
use crate::fault::{Fault, FaultKind};
use crate::iterator::{ElementIterator, SortEntry, SortKind};
use crate::operation::NO_ROW;
use crate::store::{Store, internal};

#[cold]
fn stale() -> Fault {
    internal("the container no longer exists, or is of another kind")
}

impl Store {
    /// A new empty container, freed by a release of an earlier mark.
    pub fn container_new(&mut self, type_id: ContainerTypeId) -> Result<u64, Fault> {
        let handle = self
            .containers
            .create(type_id, &self.constants, &mut self.account)?;
        self.containers.adopt(handle, &mut self.account)?;
        Ok(handle)
    }

    /// The number of elements; of an aggregate, its count.
    pub fn container_length(&self, handle: u64) -> Result<u64, Fault> {
        match self.containers.get(handle) {
            Some(Content::Table(table)) => Ok(table.len()),
            Some(Content::Array(array)) => Ok(array.len()),
            Some(Content::Aggregate(aggregate)) => Ok(aggregate.count()),
            _ if handle == 0 => Ok(0),
            _ => Err(stale()),
        }
    }

    /// Empties a container and ends iterations over it.
    pub fn container_clear(&mut self, handle: u64) -> Result<(), Fault> {
        self.containers.free_elements(handle, &mut self.account);
        match self.containers.get_mut(handle) {
            Some(Content::Table(table)) => table.clear(),
            Some(Content::Array(array)) => {
                array.clear();
                self.containers.clip_iterators(handle, None);
            }
            Some(Content::Aggregate(aggregate)) => aggregate.clear(&mut self.account),
            _ if handle == 0 => {}
            _ => return Err(stale()),
        }
        Ok(())
    }

    /// The row of a one-word key, or [`NO_ROW`]. `None` if the handle is no such table.
    #[inline]
    pub fn table_find1(&self, handle: u64, key: u64) -> Option<u64> {
        match self.containers.table(handle) {
            Some(table) if table.key_words() == 1 => {
                Some(table.find1(key).map_or(NO_ROW, u64::from))
            }
            None if handle == 0 => Some(NO_ROW),
            _ => None,
        }
    }

    /// The row of a one-word key; a zeroed row is inserted when the key is absent.
    #[inline]
    pub fn table_insert1(&mut self, handle: u64, key: u64) -> Result<u64, Fault> {
        match self.containers.table_mut(handle) {
            Some(table) if table.key_words() == 1 && table.nested.is_none() => table
                .insert1(key, &mut self.account)
                .map(|(row, _)| u64::from(row)),
            _ => self.table_insert(handle, &[key]),
        }
    }

    /// The same with the bytes of the row, for tables whose values are no containers; `None` for
    /// others and for handles of no such table.
    #[inline]
    pub fn table_insert1_row(
        &mut self,
        handle: u64,
        key: u64,
    ) -> Option<Result<(u64, &mut [u8]), Fault>> {
        let table = self.containers.table_mut(handle)?;
        if table.key_words() != 1 || table.nested.is_some() {
            return None;
        }
        let row = match table.insert1(key, &mut self.account) {
            Ok((row, _)) => row,
            Err(fault) => return Some(Err(fault)),
        };
        let words = table.row_mut(row)?;
        Some(Ok((u64::from(row), bytemuck::cast_slice_mut(words))))
    }

    /// The row of a one-word key with its bytes, if it is there; `None` also for handles of no such
    /// table.
    #[inline]
    pub fn table_find1_row(&mut self, handle: u64, key: u64) -> Option<(u64, &mut [u8])> {
        let table = self.containers.table_mut(handle)?;
        if table.key_words() != 1 {
            return None;
        }
        let row = table.find1(key)?;
        let words = table.row_mut(row)?;
        Some((u64::from(row), bytemuck::cast_slice_mut(words)))
    }

    /// The row of a key, or [`NO_ROW`].
    pub fn table_find(&self, handle: u64, key: &[u64]) -> Result<u64, Fault> {
        match self.containers.table(handle) {
            Some(table) if table.key_words() == key.len() => {
                Ok(table.find(key).map_or(NO_ROW, u64::from))
            }
            None if handle == 0 => Ok(NO_ROW),
            _ => Err(stale()),
        }
    }

    /// The row of a key; a zeroed row (or one with a new container) is inserted when the key is
    /// absent.
    pub fn table_insert(&mut self, handle: u64, key: &[u64]) -> Result<u64, Fault> {
        let table = self.containers.table_mut(handle).ok_or_else(stale)?;
        if table.key_words() != key.len() {
            return Err(internal("wrong number of key words"));
        }
        let Some(nested) = table.nested else {
            return table
                .insert(key, &mut self.account)
                .map(|(row, _)| u64::from(row));
        };
        if let Some(row) = table.find(key) {
            return Ok(u64::from(row));
        }
        let element = self
            .containers
            .create(nested, &self.constants, &mut self.account)?;
        let table = self.containers.table_mut(handle).ok_or_else(stale)?;
        let inserted = table.insert(key, &mut self.account).map(|(row, _)| {
            let words = table.row_mut(row);
            if let Some(place) = words.and_then(|words| words.get_mut(key.len())) {
                *place = element;
            }
            u64::from(row)
        });
        if inserted.is_err() {
            self.containers.free(element, &mut self.account);
        }
        inserted
    }

    /// Deletes a key; whether it was there.
    pub fn table_delete(&mut self, handle: u64, key: &[u64]) -> Result<bool, Fault> {
        let table = match self.containers.table_mut(handle) {
            Some(table) if table.key_words() == key.len() => table,
            None if handle == 0 => return Ok(false),
            _ => return Err(stale()),
        };
        let Some(row) = table.find(key) else {
            return Ok(false);
        };
        let element = table.nested.and_then(|_| {
            let words = table.row(row)?;
            words.get(key.len()).copied()
        });
        table.delete(row, &mut self.account)?;
        if let Some(element) = element {
            self.containers.free(element, &mut self.account);
        }
        Ok(true)
    }

    /// The row of an array's element.
    #[inline]
    pub fn array_index(&self, handle: u64, index: u64) -> Result<u64, Fault> {
        let length = match self.containers.array(handle) {
            Some(array) => match array.slot(index) {
                Some(slot) => return Ok(slot),
                None => array.len(),
            },
            None if handle == 0 => 0,
            None => return Err(stale()),
        };
        Err(outside(index, length))
    }

    /// The row of a zeroed element appended.
    #[inline]
    pub fn array_push(&mut self, handle: u64) -> Result<u64, Fault> {
        self.array_add(handle, End::Back)
    }

    /// The row of a zeroed element put in front.
    pub fn array_unshift(&mut self, handle: u64) -> Result<u64, Fault> {
        self.array_add(handle, End::Front)
    }

    /// The row of the last element, removed.
    pub fn array_pop(&mut self, handle: u64) -> Result<u64, Fault> {
        self.array_remove(handle, End::Back)
    }

    /// The row of the first element, removed.
    pub fn array_shift(&mut self, handle: u64) -> Result<u64, Fault> {
        self.array_remove(handle, End::Front)
    }

    #[inline]
    fn array_add(&mut self, handle: u64, end: End) -> Result<u64, Fault> {
        let array = self.containers.array_mut(handle).ok_or_else(stale)?;
        match array.nested {
            None => array.add(end, &mut self.account),
            Some(nested) => self.array_add_container(handle, end, nested),
        }
    }

    fn array_add_container(
        &mut self,
        handle: u64,
        end: End,
        nested: ContainerTypeId,
    ) -> Result<u64, Fault> {
        let element = self
            .containers
            .create(nested, &self.constants, &mut self.account)?;
        let array = self.containers.array_mut(handle).ok_or_else(stale)?;
        match array.add(end, &mut self.account) {
            Ok(slot) => {
                if let Some(bytes) = array.row_mut(slot) {
                    bytes.copy_from_slice(&element.to_ne_bytes());
                }
                Ok(slot)
            }
            Err(fault) => {
                self.containers.free(element, &mut self.account);
                Err(fault)
            }
        }
    }

    fn array_remove(&mut self, handle: u64, end: End) -> Result<u64, Fault> {
        let Some(array) = self.containers.array_mut(handle) else {
            return Err(match handle {
                0 => outside(0, 0),
                _ => stale(),
            });
        };
        let Some(slot) = array.remove(end) else {
            return Err(Fault::new(FaultKind::IndexOutOfRange).with_message("the array is empty"));
        };
        // A removed container becomes the program's own, so that it can still be read.
        let element = array.nested.and_then(|_| {
            let bytes = array.row(slot)?;
            Some(u64::from_ne_bytes(bytes.try_into().ok()?))
        });
        self.containers.clip_iterators(handle, Some(end));
        if let Some(element) = element {
            self.containers.adopt(element, &mut self.account)?;
        }
        Ok(slot)
    }

    /// An iterator over the elements present now, in order.
    pub fn iterator_new(&mut self, handle: u64) -> Result<u64, Fault> {
        let (epoch, range) = match self.containers.get(handle) {
            Some(Content::Table(table)) => (table.epoch, (0, i64::from(table.end()))),
            Some(Content::Array(array)) => (0, array.sequence()),
            _ if handle == 0 => (0, (0, 0)),
            _ => return Err(stale()),
        };
        let iterator = ElementIterator::new(handle, epoch, range);
        let handle = self
            .containers
            .create_iterator(iterator, &mut self.account)?;
        self.containers.adopt(handle, &mut self.account)?;
        Ok(handle)
    }

    /// The row of the next element that still exists, or [`NO_ROW`].
    pub fn iterator_next(&mut self, handle: u64) -> Result<u64, Fault> {
        let iterator = self.containers.iterator(handle).ok_or_else(stale)?;
        if iterator.remaining == 0 {
            return Ok(NO_ROW);
        }
        let (mut cursor, sorted, range) = (iterator.cursor, iterator.sorted, iterator.range);
        let container = self.containers.get(iterator.container);
        let found = loop {
            let entry = match (sorted, container) {
                (true, _) => {
                    let entry = usize::try_from(cursor)
                        .ok()
                        .and_then(|cursor| iterator.entries.get(cursor));
                    match entry {
                        Some(entry) => (entry.element, Some(entry.position)),
                        None => break None,
                    }
                }
                (false, Some(Content::Table(table))) => {
                    let from = u32::try_from(cursor).unwrap_or(u32::MAX);
                    let end = u32::try_from(range.1).unwrap_or(u32::MAX);
                    match table.next_live(from, end) {
                        Some(row) => {
                            cursor = i64::from(row);
                            (cursor, None)
                        }
                        None => break None,
                    }
                }
                (false, _) => {
                    cursor = cursor.max(range.0);
                    if cursor >= range.1 {
                        break None;
                    }
                    (cursor, None)
                }
            };
            cursor += 1;
            let (element, position) = entry;
            match container {
                Some(Content::Table(table)) if table.epoch == iterator.epoch => {
                    if let Ok(row) = u32::try_from(element)
                        && row < table.end()
                        && !table.is_dead(row)
                    {
                        break Some((u64::from(row), element, position));
                    }
                }
                Some(Content::Array(array)) => {
                    if (range.0..range.1).contains(&element)
                        && let Some(slot) = array.slot_of_sequence(element)
                    {
                        let at = element.wrapping_sub(iterator.origin) as u64;
                        break Some((slot, element, position.or(Some(at))));
                    }
                }
                _ => break None,
            }
        };
        let iterator = self.containers.iterator_mut(handle).ok_or_else(stale)?;
        iterator.cursor = cursor;
        let Some((row, element, position)) = found else {
            return Ok(NO_ROW);
        };
        iterator.last = Some((element, position.unwrap_or(iterator.given)));
        iterator.given += 1;
        iterator.remaining -= 1;
        Ok(row)
    }

    /// Notes the sort key of the element that [`Store::iterator_next`] gave last.
    pub fn iterator_sort_key(&mut self, handle: u64, key: u64, kind: u64) -> Result<(), Fault> {
        let kind = SortKind::from_word(kind).ok_or_else(|| internal("no such kind of sort key"))?;
        let iterator = self.containers.iterator_mut(handle).ok_or_else(stale)?;
        let (element, position) = iterator
            .last
            .ok_or_else(|| internal("a sort key without an element"))?;
        iterator.kind = kind;
        if iterator.sorted {
            // A further sort: keys replace those of the one before.
            let at = usize::try_from(iterator.cursor - 1).ok();
            if let Some(entry) = at.and_then(|at| iterator.entries.get_mut(at)) {
                entry.key = key;
            }
            return Ok(());
        }
        self.account.reserve(&mut iterator.entries, 1)?;
        iterator.entries.push(SortEntry {
            key,
            element,
            position,
        });
        Ok(())
    }

    /// Sorts the elements that have keys, stably, and starts again with them.
    pub fn iterator_sort(&mut self, handle: u64, descending: bool) -> Result<(), Fault> {
        let iterator = self.containers.iterator_mut(handle).ok_or_else(stale)?;
        let kind = iterator.kind;
        let mut entries = std::mem::take(&mut iterator.entries);
        // The stable sort needs room for half of the elements.
        let scratch = (entries.len() * size_of::<SortEntry>() / 2) as u64;
        if let Err(fault) = self.account.charge(scratch) {
            self.account.refund_vector(&entries);
            return Err(fault);
        }
        let names = |left: u64, right: u64| self.string(left).cmp(self.string(right));
        let compare = |left: u64, right: u64| match kind {
            SortKind::Signed => (left as i64).cmp(&(right as i64)),
            SortKind::Unsigned => left.cmp(&right),
            SortKind::Float => f64::from_bits(left).total_cmp(&f64::from_bits(right)),
            SortKind::Str if left == right => Ordering::Equal,
            SortKind::Str => names(left, right),
            SortKind::Path => self.paths.compare(left, right, names),
        };
        if descending {
            entries.sort_by(|left, right| compare(right.key, left.key));
        } else {
            entries.sort_by(|left, right| compare(left.key, right.key));
        }
        self.account.refund(scratch);
        let iterator = self.containers.iterator_mut(handle).ok_or_else(stale)?;
        iterator.entries = entries;
        iterator.sorted = true;
        iterator.cursor = 0;
        iterator.last = None;
        Ok(())
    }

    /// Ends an iteration after so many more elements.
    pub fn iterator_limit(&mut self, handle: u64, limit: u64) -> Result<(), Fault> {
        let iterator = self.containers.iterator_mut(handle).ok_or_else(stale)?;
        // A negative limit gives nothing, as a loop to it would.
        iterator.remaining = u64::try_from(limit as i64).unwrap_or(0);
        Ok(())
    }

    /// The index, from the start of the container, of the element given last.
    pub fn iterator_position(&self, handle: u64) -> Result<u64, Fault> {
        let iterator = self.containers.iterator(handle).ok_or_else(stale)?;
        Ok(iterator.last.map_or(0, |(_, position)| position))
    }

    /// Puts an array into the order of a sorted iterator over it.
    pub fn array_reorder(&mut self, array: u64, iterator: u64) -> Result<(), Fault> {
        if array == 0 {
            return Ok(());
        }
        let source = self.containers.iterator(iterator).ok_or_else(stale)?;
        if source.container != array {
            return Err(internal("the iterator is of another container"));
        }
        let mut order = Vec::new();
        self.account.reserve(&mut order, source.entries.len())?;
        order.extend(source.entries.iter().map(|entry| entry.element));
        let result = match self.containers.array_mut(array) {
            Some(content) => content.reorder(&order, &mut self.account),
            None => Err(stale()),
        };
        self.account.release(&mut order);
        result
    }

    /// The sum of a value over the rows of a table, as a word of its kind.
    pub fn table_sum(&self, handle: u64, offset: u64, kind: u64) -> Result<u64, Fault> {
        let kind = SortKind::from_word(kind).ok_or_else(|| internal("no such kind of value"))?;
        let mut sum = 0_u64;
        let mut float = 0.0_f64;
        self.each_value(handle, offset, |word| match kind {
            SortKind::Float => float += f64::from_bits(word),
            _ => sum = sum.wrapping_add(word),
        })?;
        Ok(match kind {
            SortKind::Float => float.to_bits(),
            _ => sum,
        })
    }

    /// The least (`Less`) or greatest (`Greater`) value over the rows of a table; 0 when empty.
    pub fn table_extreme(
        &self,
        handle: u64,
        offset: u64,
        kind: u64,
        wanted: Ordering,
    ) -> Result<u64, Fault> {
        let kind = SortKind::from_word(kind).ok_or_else(|| internal("no such kind of value"))?;
        let mut best = None;
        self.each_value(handle, offset, |word| {
            let better = best.is_none_or(|best: u64| {
                let order = match kind {
                    SortKind::Signed => (word as i64).cmp(&(best as i64)),
                    SortKind::Float => f64::from_bits(word).total_cmp(&f64::from_bits(best)),
                    SortKind::Str => self.string(word).cmp(self.string(best)),
                    SortKind::Path => self.paths.compare(word, best, |left, right| {
                        self.string(left).cmp(self.string(right))
                    }),
                    SortKind::Unsigned => word.cmp(&best),
                };
                order == wanted
            });
            if better {
                best = Some(word);
            }
        })?;
        Ok(best.unwrap_or(0))
    }

    /// Calls `each` with the word of a value of every row or element.
    fn each_value(&self, handle: u64, offset: u64, mut each: impl FnMut(u64)) -> Result<(), Fault> {
        let scalar = |element: &Element, offset: u64| match element {
            Element::Value { shape, .. } => {
                crate::reading::scalar_at(&self.constants, *shape, offset)
            }
            Element::Container(_) => None,
        };
        let word = |scalar, bytes: &[u8]| {
            bytes
                .get(usize::try_from(offset).unwrap_or(usize::MAX)..)
                .and_then(|bytes| crate::reading::load(scalar, bytes))
                .ok_or_else(|| internal("no value at this offset"))
        };
        match self.containers.get(handle) {
            Some(Content::Table(table)) => {
                let key_bytes = table.key_words() as u64 * 8;
                let scalar = match self.constants.containers.get(table.type_id.0 as usize) {
                    Some(ContainerType::Table { element, .. }) if offset >= key_bytes => {
                        scalar(element, offset - key_bytes)
                    }
                    _ => None,
                };
                let mut from = 0;
                while let Some(row) = table.next_live(from, table.end()) {
                    let words = table.row(row).unwrap_or_default();
                    each(word(scalar, bytemuck::cast_slice(words))?);
                    from = row + 1;
                }
            }
            Some(Content::Array(array)) => {
                let scalar = match self.constants.containers.get(array.type_id.0 as usize) {
                    Some(ContainerType::Array { element }) => scalar(element, offset),
                    _ => None,
                };
                for index in 0..array.len() {
                    let bytes = array.slot(index).and_then(|slot| array.row(slot));
                    each(word(scalar, bytes.unwrap_or_default())?);
                }
            }
            _ if handle == 0 => {}
            _ => return Err(stale()),
        }
        Ok(())
    }

    /// Adds a value to an aggregate so many times.
    #[inline]
    pub fn aggregate_add(&mut self, handle: u64, value: i64, times: u64) -> Result<(), Fault> {
        match self.containers.get_mut(handle) {
            Some(Content::Aggregate(aggregate)) => aggregate.add(value, times, &mut self.account),
            _ => Err(stale()),
        }
    }

    /// Adds to an aggregate what was kept elsewhere of values put into it.
    ///
    /// # Errors
    /// There is no such aggregate, or no memory for its distribution; then nothing is added.
    pub fn aggregate_merge(&mut self, handle: u64, more: &AggregateUpdate) -> Result<(), Fault> {
        match self.containers.get_mut(handle) {
            Some(Content::Aggregate(aggregate)) => aggregate.merge(more, &mut self.account),
            _ => Err(stale()),
        }
    }

    /// Calls `read` with an aggregate; handle 0 is an empty one.
    pub(crate) fn with_aggregate<T>(
        &self,
        handle: u64,
        read: impl FnOnce(&Aggregate) -> T,
    ) -> Result<T, Fault> {
        match self.containers.get(handle) {
            Some(Content::Aggregate(aggregate)) => Ok(read(aggregate)),
            _ if handle == 0 => Ok(read(&Aggregate::new(&[]))),
            _ => Err(stale()),
        }
    }
}

fn outside(index: u64, length: u64) -> Fault {
    Fault::new(FaultKind::IndexOutOfRange).with_message(format!(
        "index {} is outside of an array of {length} elements",
        index as i64
    ))
}
