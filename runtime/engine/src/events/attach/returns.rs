//! What may end a target that has functions probed at their return: the kernel puts an address of its own in place of theirs, which whoever
//! unwinds or leaves the stack meanwhile does not know.

use std::collections::BTreeSet;

use super::super::EventFailure;
use super::super::sites::Finder;
use crate::host::Sink;

/// Modules with functions that are probed at their return, by what they have.
#[derive(Debug, Default)]
pub(super) struct Dangers {
    /// Code that throws or catches exceptions.
    throws: BTreeSet<String>,
    /// Other code that unwinds stacks.
    unwinds: BTreeSet<String>,
    /// Code that switches stacks.
    switches: BTreeSet<String>,
}

impl Dangers {
    /// Takes note of some functions. What is likely to end the target is an error, unless it is `forced`.
    pub(super) fn note(
        &mut self,
        functions: impl Iterator<Item = u64>,
        finder: &Finder<'_>,
        forced: bool,
    ) -> Result<(), EventFailure> {
        let modules = finder.modules_of(functions);
        let throws = finder.throwing(&modules);
        let switches = finder.switching(&modules);
        if !forced && let Some(module) = throws.first() {
            return Err(EventFailure::Throws(module.clone()));
        }
        if !forced && let Some(module) = switches.first() {
            return Err(EventFailure::Switches(module.clone()));
        }
        let unwinds = finder.unwinding(&modules);
        let unwinds = unwinds.into_iter().filter(|name| !throws.contains(name));
        self.unwinds.extend(unwinds);
        self.throws.extend(throws);
        self.switches.extend(switches);
        Ok(())
    }

    /// Says what may happen.
    pub(super) fn warn(&self, sink: &mut dyn Sink) {
        for module in &self.throws {
            sink.warn(&EventFailure::Throws(module.clone()).to_string());
        }
        for module in &self.switches {
            sink.warn(&EventFailure::Switches(module.clone()).to_string());
        }
        for module in &self.unwinds {
            sink.warn(&format!(
                "functions of {module} are probed at their return, and it has code that unwinds: what unwinds through a probed function ends the target, for the kernel has replaced its return address. Probe the entries, or other functions, or use --sync"
            ));
        }
    }
}
