//! What carries out operations: a program's store together with the two seams.

use crate::fault::Fault;
use crate::host::Host;
use crate::memory::Memory;
use crate::operation::Operation;
use crate::store::Store;

/// A [`Store`] with the target's memory and the host at hand: all that an operation can touch.
pub struct Machine<'a> {
    /// Globals, strings, paths and containers of the program.
    pub store: &'a mut Store,
    /// The target's memory.
    pub memory: &'a mut dyn Memory,
    /// The rest of the world.
    pub host: &'a mut dyn Host,
}

impl Machine<'_> {
    /// Carries out one operation. `arguments` and the result are as [`Operation`] says; an
    /// operation without a result gives 0.
    ///
    /// Wrong numbers of arguments and stale handles give [`crate::FaultKind::Internal`].
    pub fn perform(&mut self, operation: Operation, arguments: &[u64]) -> Result<u64, Fault> {
        let _ = (operation, arguments);
        Err(Fault::new(crate::FaultKind::Internal))
    }
}
