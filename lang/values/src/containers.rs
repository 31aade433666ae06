//! The slab of containers and iterators, and who frees them.
//!
//! A handle is a slot number plus one in its low half and the slot's generation in its high
//! half, so a handle of something freed is recognised. Handle 0 is the empty container: it can
//! be read as one and not written.
//!
//! Containers and iterators that a program makes are listed in order of creation; releasing a
//! mark frees those made since. Containers that are values of tables or arrays are freed with
//! the element instead.

use crate::account::Account;
use crate::aggregate::Aggregate;
use crate::array::{Array, End};
use crate::constants::{Constants, ContainerType, ContainerTypeId, Element};
use crate::fault::{Fault, FaultKind};
use crate::iterator::ElementIterator;
use crate::table::Table;

/// The most containers within one another that can be kept for another program.
const MAX_NESTING: u32 = 64;

#[derive(Clone, Debug)]
pub(crate) enum Content {
    Free,
    Table(Box<Table>),
    Array(Box<Array>),
    Aggregate(Box<Aggregate>),
    Iterator(Box<ElementIterator>),
}

#[derive(Clone, Debug)]
struct Slot {
    generation: u32,
    content: Content,
}

/// All containers and iterators.
#[derive(Clone, Debug)]
pub(crate) struct Containers {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// What the program made itself, in order of creation.
    made: Vec<u64>,
    seed: u64,
}

impl Containers {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            made: Vec::new(),
            seed,
        }
    }

    #[inline]
    pub(crate) fn get(&self, handle: u64) -> Option<&Content> {
        let slot = self.slots.get((handle as u32).wrapping_sub(1) as usize)?;
        (slot.generation == (handle >> 32) as u32).then_some(&slot.content)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, handle: u64) -> Option<&mut Content> {
        let slot = self
            .slots
            .get_mut((handle as u32).wrapping_sub(1) as usize)?;
        (slot.generation == (handle >> 32) as u32).then_some(&mut slot.content)
    }

    #[inline]
    pub(crate) fn table(&self, handle: u64) -> Option<&Table> {
        match self.get(handle) {
            Some(Content::Table(table)) => Some(table),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn table_mut(&mut self, handle: u64) -> Option<&mut Table> {
        match self.get_mut(handle) {
            Some(Content::Table(table)) => Some(table),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn array(&self, handle: u64) -> Option<&Array> {
        match self.get(handle) {
            Some(Content::Array(array)) => Some(array),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn array_mut(&mut self, handle: u64) -> Option<&mut Array> {
        match self.get_mut(handle) {
            Some(Content::Array(array)) => Some(array),
            _ => None,
        }
    }

    pub(crate) fn iterator(&self, handle: u64) -> Option<&ElementIterator> {
        match self.get(handle) {
            Some(Content::Iterator(iterator)) => Some(iterator),
            _ => None,
        }
    }

    pub(crate) fn iterator_mut(&mut self, handle: u64) -> Option<&mut ElementIterator> {
        match self.get_mut(handle) {
            Some(Content::Iterator(iterator)) => Some(iterator),
            _ => None,
        }
    }

    /// Makes an empty container of a type.
    pub(crate) fn create(
        &mut self,
        type_id: ContainerTypeId,
        constants: &Constants,
        account: &mut Account,
    ) -> Result<u64, Fault> {
        let Some(kind) = constants.containers.get(type_id.0 as usize) else {
            return Err(Fault::new(FaultKind::Internal).with_message("no such container type"));
        };
        let parts =
            |element: &Element| match element {
                Element::Value { size, .. } => usize::try_from(*size)
                    .map(|size| (size, None))
                    .map_err(|_| {
                        Fault::new(FaultKind::MemoryExhausted)
                            .with_message("an element is too large")
                    }),
                Element::Container(nested) => Ok((8, Some(*nested))),
            };
        let content = match kind {
            ContainerType::Array { element } => {
                let (size, nested) = parts(element)?;
                Content::Array(Box::new(Array::new(type_id, size, nested)))
            }
            ContainerType::Table { key, element, .. } => {
                let (size, nested) = parts(element)?;
                Content::Table(Box::new(Table::new(
                    type_id,
                    key.len(),
                    size.div_ceil(8),
                    nested,
                    self.seed,
                )))
            }
            ContainerType::Aggregate { linear } => {
                Content::Aggregate(Box::new(Aggregate::new(linear)))
            }
        };
        self.insert(content, account)
    }

    /// Adds an iterator, which its container learns of.
    pub(crate) fn create_iterator(
        &mut self,
        iterator: ElementIterator,
        account: &mut Account,
    ) -> Result<u64, Fault> {
        let container = iterator.container;
        let handle = self.insert(Content::Iterator(Box::new(iterator)), account)?;
        let slot = (handle as u32).wrapping_sub(1);
        let noted = match self.get_mut(container) {
            Some(Content::Table(table)) => {
                table.iterators += 1;
                Ok(())
            }
            Some(Content::Array(array)) => {
                let noted = account.reserve(&mut array.iterators, 1);
                if noted.is_ok() {
                    array.iterators.push(slot);
                }
                noted
            }
            _ => Ok(()),
        };
        if let Err(fault) = noted {
            self.free(handle, account);
            return Err(fault);
        }
        Ok(handle)
    }

    /// Lists a container or iterator as the program's own, freed by a release.
    pub(crate) fn adopt(&mut self, handle: u64, account: &mut Account) -> Result<(), Fault> {
        if let Err(fault) = account.reserve(&mut self.made, 1) {
            self.free(handle, account);
            return Err(fault);
        }
        self.made.push(handle);
        Ok(())
    }

    /// What a release will free down to.
    pub(crate) fn mark(&self) -> u64 {
        self.made.len() as u64
    }

    /// Frees what the program made since a mark.
    pub(crate) fn release(&mut self, mark: u64, account: &mut Account) {
        while self.made.len() as u64 > mark {
            if let Some(handle) = self.made.pop() {
                self.free(handle, account);
            }
        }
    }

    /// As [`crate::Store::keep_containers`] says.
    pub(crate) fn keep(
        &mut self,
        kept: &[(u64, u64)],
        mark: u64,
        before: &Constants,
        after: &Constants,
        account: &mut Account,
    ) -> Vec<bool> {
        let type_of = |content: Option<&Content>| match content {
            Some(Content::Table(table)) => Some(Some(table.type_id)),
            Some(Content::Array(array)) => Some(Some(array.type_id)),
            // One is like any other.
            Some(Content::Aggregate(_)) => Some(None),
            _ => None,
        };
        let stay: Vec<bool> = kept
            .iter()
            .map(|(earlier, later)| {
                match (type_of(self.get(*earlier)), type_of(self.get(*later))) {
                    (Some(Some(from)), Some(Some(to))) => alike(before, from, after, to, 0),
                    (Some(None), Some(None)) => true,
                    _ => false,
                }
            })
            .collect();
        let mut pending: Vec<(u64, ContainerTypeId)> = Vec::new();
        let mut replaced: Vec<u64> = Vec::new();
        for ((earlier, later), _) in kept.iter().zip(&stay).filter(|(_, stays)| **stays) {
            replaced.push(*later);
            if let Some(Some(to)) = type_of(self.get(*later)) {
                pending.push((*earlier, to));
            }
        }
        let stays = |handle: u64| {
            let mut pairs = kept.iter().zip(&stay);
            pairs.any(|((earlier, _), stays)| *stays && *earlier == handle)
        };
        for (index, handle) in std::mem::take(&mut self.made).into_iter().enumerate() {
            let wanted = match (index as u64) < mark {
                true => stays(handle),
                false => !replaced.contains(&handle),
            };
            match wanted {
                true => self.made.push(handle),
                false => self.free(handle, account),
            }
        }
        self.retype(pending, &after.containers);
        stay
    }

    /// The type of a table or an array.
    pub(crate) fn type_of(&self, handle: u64) -> Option<ContainerTypeId> {
        match self.get(handle)? {
            Content::Table(table) => Some(table.type_id),
            Content::Array(array) => Some(array.type_id),
            _ => None,
        }
    }

    /// Gives containers types of a program with these, and what lies within them.
    pub(crate) fn retype(
        &mut self,
        mut pending: Vec<(u64, ContainerTypeId)>,
        types: &[ContainerType],
    ) {
        while let Some((handle, to)) = pending.pop() {
            let element = match types.get(to.0 as usize) {
                Some(ContainerType::Array { element } | ContainerType::Table { element, .. }) => {
                    element
                }
                _ => continue,
            };
            let nested = match element {
                Element::Container(nested) => Some(*nested),
                Element::Value { .. } => None,
            };
            let mut within = Vec::new();
            match self.get_mut(handle) {
                Some(Content::Table(table)) => {
                    table.type_id = to;
                    nested_of_table(table, &mut within);
                    table.nested = nested;
                }
                Some(Content::Array(array)) => {
                    array.type_id = to;
                    nested_of_array(array, &mut within);
                    array.nested = nested;
                }
                _ => {}
            }
            if let Some(nested) = nested {
                pending.extend(within.into_iter().map(|handle| (handle, nested)));
            }
        }
    }

    /// Frees a container with all that it holds.
    pub(crate) fn free(&mut self, handle: u64, account: &mut Account) {
        let mut pending = vec![handle];
        while let Some(handle) = pending.pop() {
            let number = (handle as u32).wrapping_sub(1);
            let Some(slot) = self.slots.get_mut(number as usize) else {
                continue;
            };
            if slot.generation != (handle >> 32) as u32 {
                continue;
            }
            let content = std::mem::replace(&mut slot.content, Content::Free);
            // A slot whose generations are used up is never used again.
            slot.generation = slot.generation.wrapping_add(1);
            if slot.generation != 0 {
                self.free.push(number);
            }
            account.refund(content_bytes(&content));
            match content {
                Content::Table(table) => nested_of_table(&table, &mut pending),
                Content::Array(array) => nested_of_array(&array, &mut pending),
                Content::Iterator(iterator) => match self.get_mut(iterator.container) {
                    Some(Content::Table(table)) => {
                        table.iterators = table.iterators.saturating_sub(1);
                    }
                    Some(Content::Array(array)) => {
                        array.iterators.retain(|&slot| slot != number);
                    }
                    _ => {}
                },
                Content::Aggregate(_) | Content::Free => {}
            }
        }
    }

    /// Frees the containers that are elements of this one, which is about to be emptied.
    pub(crate) fn free_elements(&mut self, handle: u64, account: &mut Account) {
        let mut nested = Vec::new();
        match self.get(handle) {
            Some(Content::Table(table)) => nested_of_table(table, &mut nested),
            Some(Content::Array(array)) => nested_of_array(array, &mut nested),
            _ => {}
        }
        for element in nested {
            self.free(element, account);
        }
    }

    /// Tells the iterators of an array that an element at one end is gone, or all of them.
    pub(crate) fn clip_iterators(&mut self, array: u64, removed: Option<End>) {
        let Some(content) = self.array(array) else {
            return;
        };
        if content.iterators.is_empty() {
            return;
        }
        let (first, end) = content.sequence();
        for number in content.iterators.clone() {
            let slot = self.slots.get_mut(number as usize);
            if let Some(Content::Iterator(iterator)) = slot.map(|slot| &mut slot.content) {
                match removed {
                    Some(End::Front) => iterator.range.0 = iterator.range.0.max(first),
                    Some(End::Back) => iterator.range.1 = iterator.range.1.min(end),
                    None => iterator.range.1 = iterator.range.0,
                }
            }
        }
    }

    fn insert(&mut self, content: Content, account: &mut Account) -> Result<u64, Fault> {
        account.charge(content_bytes(&content))?;
        let bytes = content_bytes(&content);
        if let Some(number) = self.free.pop()
            && let Some(slot) = self.slots.get_mut(number as usize)
        {
            slot.content = content;
            return Ok(u64::from(slot.generation) << 32 | (u64::from(number) + 1));
        }
        // One place of the free list for every slot, so that freeing never fails.
        let reserved = account
            .reserve(&mut self.slots, 1)
            .and_then(|()| account.reserve(&mut self.free, self.slots.len() + 1));
        if let Err(fault) = reserved {
            account.refund(bytes);
            return Err(fault);
        }
        let number = self.slots.len() as u64;
        if number >= u64::from(u32::MAX) {
            account.refund(bytes);
            return Err(Fault::new(FaultKind::MemoryExhausted)
                .with_message("there are too many containers"));
        }
        self.slots.push(Slot {
            generation: 1,
            content,
        });
        Ok(1 << 32 | (number + 1))
    }
}

/// Whether containers of a type of one program can be ones of a type of another: keys and elements lie alike in memory.
fn alike(
    before: &Constants,
    from: ContainerTypeId,
    after: &Constants,
    to: ContainerTypeId,
    depth: u32,
) -> bool {
    let (Some(from), Some(to)) = (
        before.containers.get(from.0 as usize),
        after.containers.get(to.0 as usize),
    ) else {
        return false;
    };
    let elements = |from: &Element, to: &Element| match (from, to) {
        (Element::Value { size: from, .. }, Element::Value { size: to, .. }) => from == to,
        (Element::Container(from), Element::Container(to)) => {
            depth < MAX_NESTING && alike(before, *from, after, *to, depth + 1)
        }
        _ => false,
    };
    match (from, to) {
        (ContainerType::Array { element: from }, ContainerType::Array { element: to }) => {
            elements(from, to)
        }
        (
            ContainerType::Table {
                key: from_key,
                element: from,
                ..
            },
            ContainerType::Table {
                key: to_key,
                element: to,
                ..
            },
        ) => from_key == to_key && elements(from, to),
        (ContainerType::Aggregate { .. }, ContainerType::Aggregate { .. }) => true,
        _ => false,
    }
}

fn nested_of_table(table: &Table, into: &mut Vec<u64>) {
    if table.nested.is_some() {
        let mut from = 0;
        while let Some(row) = table.next_live(from, table.end()) {
            into.extend(
                table
                    .row(row)
                    .and_then(|words| words.get(table.key_words())),
            );
            from = row + 1;
        }
    }
}

fn nested_of_array(array: &Array, into: &mut Vec<u64>) {
    if array.nested.is_some() {
        into.extend((0..array.len()).filter_map(|index| {
            let bytes = array.row(array.slot(index)?)?;
            Some(u64::from_ne_bytes(bytes.try_into().ok()?))
        }));
    }
}

/// The bytes of a container, without its slot.
fn content_bytes(content: &Content) -> u64 {
    match content {
        Content::Free => 0,
        Content::Table(table) => size_of::<Table>() as u64 + table.bytes(),
        Content::Array(array) => size_of::<Array>() as u64 + array.bytes(),
        Content::Aggregate(aggregate) => size_of::<Aggregate>() as u64 + aggregate.bytes(),
        Content::Iterator(iterator) => size_of::<ElementIterator>() as u64 + iterator.bytes(),
    }
}
