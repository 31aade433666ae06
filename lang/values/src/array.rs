//! One growing array: a ring of elements, with both ends cheap.

use crate::account::{Account, vector_bytes};
use crate::constants::ContainerTypeId;
use crate::fault::{Fault, FaultKind};

/// An array. An element is found by its slot in the ring (what operations give as a row), by
/// its index, or by its sequence number, which never changes while the element exists.
#[derive(Clone, Debug)]
pub(crate) struct Array {
    pub(crate) type_id: ContainerTypeId,
    /// What an element is, if it is a container.
    pub(crate) nested: Option<ContainerTypeId>,
    /// Bytes of an element.
    size: usize,
    /// Bytes from element to element: 1, 2, 4 or a multiple of 8, so that all are aligned.
    stride: usize,
    words: Vec<u64>,
    /// Slots of the ring: 0 or a power of two.
    capacity: usize,
    head: usize,
    len: usize,
    /// The sequence number of the first element.
    first: i64,
    /// Slots of the slab with iterators that are alive over this array.
    pub(crate) iterators: Vec<u32>,
}

/// An end of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Front,
    Back,
}

impl Array {
    pub(crate) fn new(
        type_id: ContainerTypeId,
        size: usize,
        nested: Option<ContainerTypeId>,
    ) -> Self {
        let stride = match size {
            1 | 2 | 4 => size,
            _ => size.max(1).div_ceil(8).saturating_mul(8),
        };
        Self {
            type_id,
            nested,
            size,
            stride,
            words: Vec::new(),
            capacity: 0,
            head: 0,
            len: 0,
            first: 0,
            iterators: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.len as u64
    }

    /// The sequence numbers of the elements.
    pub(crate) fn sequence(&self) -> (i64, i64) {
        (self.first, self.first.wrapping_add(self.len as i64))
    }

    /// The slot of an index.
    #[inline]
    pub(crate) fn slot(&self, index: u64) -> Option<u64> {
        (index < self.len as u64)
            .then(|| ((self.head + index as usize) & (self.capacity - 1)) as u64)
    }

    /// The slot of a sequence number.
    #[inline]
    pub(crate) fn slot_of_sequence(&self, number: i64) -> Option<u64> {
        let index = number.wrapping_sub(self.first);
        u64::try_from(index).ok().and_then(|index| self.slot(index))
    }

    /// Adds a zeroed element and gives its slot.
    #[inline]
    pub(crate) fn add(&mut self, end: End, account: &mut Account) -> Result<u64, Fault> {
        if self.len == self.capacity {
            self.grow(account)?;
        }
        let mask = self.capacity - 1;
        let slot = match end {
            End::Back => (self.head + self.len) & mask,
            End::Front => {
                self.head = self.head.wrapping_sub(1) & mask;
                self.first = self.first.wrapping_sub(1);
                self.head
            }
        };
        self.len += 1;
        if let Some(element) = self.row_mut(slot as u64) {
            element.fill(0);
        }
        Ok(slot as u64)
    }

    /// Removes an element and gives its slot, whose bytes stay until the next change.
    pub(crate) fn remove(&mut self, end: End) -> Option<u64> {
        let slot = match end {
            End::Back => self.slot((self.len as u64).checked_sub(1)?)?,
            End::Front => {
                let slot = self.slot(0)?;
                self.head = (self.head + 1) & (self.capacity - 1);
                self.first = self.first.wrapping_add(1);
                slot
            }
        };
        self.len -= 1;
        Some(slot)
    }

    /// Empties the array and keeps its memory.
    pub(crate) fn clear(&mut self) {
        // Later elements get numbers that no iterator has seen.
        self.first = self.first.wrapping_add(self.len as i64);
        self.len = 0;
        self.head = 0;
    }

    /// The bytes of a slot.
    #[inline]
    pub(crate) fn row(&self, slot: u64) -> Option<&[u8]> {
        let start = usize::try_from(slot).ok()?.checked_mul(self.stride)?;
        bytemuck::cast_slice::<u64, u8>(&self.words).get(start..start.checked_add(self.size)?)
    }

    /// The same, for writing.
    #[inline]
    pub(crate) fn row_mut(&mut self, slot: u64) -> Option<&mut [u8]> {
        let start = usize::try_from(slot).ok()?.checked_mul(self.stride)?;
        let end = start.checked_add(self.size)?;
        bytemuck::cast_slice_mut::<u64, u8>(&mut self.words).get_mut(start..end)
    }

    /// Puts elements into the order of these sequence numbers; others follow in their order.
    pub(crate) fn reorder(&mut self, order: &[i64], account: &mut Account) -> Result<(), Fault> {
        let mut words = Vec::new();
        let mut placed = Vec::new();
        account.reserve(&mut words, self.words.len())?;
        if let Err(fault) = account.reserve(&mut placed, self.len) {
            account.release(&mut words);
            return Err(fault);
        }
        words.resize(self.words.len(), 0_u64);
        placed.resize(self.len, false);
        let mut to = 0;
        let target: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
        let mut place = |from: Option<&[u8]>| {
            let start = to * self.stride;
            if let (Some(from), Some(target)) = (from, target.get_mut(start..start + self.size)) {
                target.copy_from_slice(from);
                to += 1;
            }
        };
        for &number in order {
            let index = usize::try_from(number.wrapping_sub(self.first)).ok();
            let Some(done) = index.and_then(|index| placed.get_mut(index)) else {
                continue;
            };
            if !std::mem::replace(done, true) {
                place(
                    self.slot_of_sequence(number)
                        .and_then(|slot| self.row(slot)),
                );
            }
        }
        for (index, _) in placed.iter().enumerate().filter(|(_, done)| !**done) {
            place(self.slot(index as u64).and_then(|slot| self.row(slot)));
        }
        account.release(&mut placed);
        account.refund_vector(&self.words);
        self.words = words;
        self.head = 0;
        Ok(())
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> u64 {
        vector_bytes(&self.words) + vector_bytes(&self.iterators)
    }

    #[cold]
    fn grow(&mut self, account: &mut Account) -> Result<(), Fault> {
        let least = (64 / self.stride).max(1).next_power_of_two();
        let capacity = self.capacity.saturating_mul(2).max(least);
        let count = capacity
            .checked_mul(self.stride)
            .map(|bytes| bytes.div_ceil(8))
            .ok_or_else(|| {
                Fault::new(FaultKind::MemoryExhausted).with_message("an array is too long")
            })?;
        let mut words = Vec::new();
        account.reserve(&mut words, count)?;
        words.resize(count, 0_u64);
        let target: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
        let source: &[u8] = bytemuck::cast_slice(&self.words);
        let (front, back) = source.split_at((self.head * self.stride).min(source.len()));
        let back = &back[..back.len().min((self.capacity - self.head) * self.stride)];
        if let Some(place) = target.get_mut(..back.len()) {
            place.copy_from_slice(back);
        }
        if let Some(place) = target.get_mut(back.len()..back.len() + front.len()) {
            place.copy_from_slice(front);
        }
        account.refund_vector(&self.words);
        self.words = words;
        self.capacity = capacity;
        self.head = 0;
        Ok(())
    }
}
