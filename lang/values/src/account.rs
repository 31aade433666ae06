//! The memory budget of a program.

use crate::fault::{Fault, FaultKind};

/// Bytes in use, and the most that may be.
///
/// What is charged is capacity, not length, so the sum is close to what the allocator holds.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    used: u64,
    limit: u64,
}

impl Account {
    /// An empty account with a limit in bytes.
    pub(crate) fn new(limit: u64) -> Self {
        Self { used: 0, limit }
    }

    /// Bytes in use.
    pub(crate) fn used(&self) -> u64 {
        self.used
    }

    /// Takes so many bytes, or faults and takes none.
    pub(crate) fn charge(&mut self, bytes: u64) -> Result<(), Fault> {
        match self.used.checked_add(bytes) {
            Some(used) if used <= self.limit => {
                self.used = used;
                Ok(())
            }
            _ => Err(self.exhausted()),
        }
    }

    /// Gives so many bytes back.
    pub(crate) fn refund(&mut self, bytes: u64) {
        self.used = self.used.saturating_sub(bytes);
    }

    /// Room for `additional` more elements, charged before it is allocated.
    #[inline]
    pub(crate) fn reserve<T>(
        &mut self,
        vector: &mut Vec<T>,
        additional: usize,
    ) -> Result<(), Fault> {
        if vector.capacity() - vector.len() >= additional {
            return Ok(());
        }
        self.grow(vector, additional)
    }

    #[cold]
    fn grow<T>(&mut self, vector: &mut Vec<T>, additional: usize) -> Result<(), Fault> {
        let size = size_of::<T>().max(1);
        let old = vector.capacity();
        let needed = vector
            .len()
            .checked_add(additional)
            .ok_or_else(|| self.exhausted())?;
        // Doubling first; near the limit, only what is needed.
        let doubled = needed.max(old.saturating_mul(2)).max(64 / size);
        let wanted = [doubled, needed]
            .into_iter()
            .find(|&capacity| {
                let bytes = ((capacity - old) as u64).checked_mul(size as u64);
                bytes.is_some_and(|bytes| self.charge(bytes).is_ok())
            })
            .ok_or_else(|| self.exhausted())?;
        if vector.try_reserve_exact(wanted - vector.len()).is_err() {
            self.refund(((wanted - old) * size) as u64);
            return Err(self.exhausted());
        }
        // The allocator may round up.
        self.used += ((vector.capacity() - wanted) * size) as u64;
        Ok(())
    }

    /// Gives back what a vector holds.
    pub(crate) fn refund_vector<T>(&mut self, vector: &Vec<T>) {
        self.refund(vector_bytes(vector));
    }

    /// Empties a vector and gives its memory back.
    pub(crate) fn release<T>(&mut self, vector: &mut Vec<T>) {
        self.refund_vector(vector);
        *vector = Vec::new();
    }

    fn exhausted(&self) -> Fault {
        Fault::new(FaultKind::MemoryExhausted).with_message(format!(
            "the probe's memory limit of {} is reached",
            crate::units::bytes(self.limit)
        ))
    }
}

/// The bytes that a vector holds.
pub(crate) fn vector_bytes<T>(vector: &Vec<T>) -> u64 {
    (vector.capacity() * size_of::<T>()) as u64
}
