//! Modules that come and go while a session lasts.
//!
//! What has been found of a module stays when it is unloaded: stacks that were taken before are shown by its names. Where another one
//! takes its addresses, those of the later one are dated: the bits of an address that no program has hold how many others were there
//! before.

use ytrace_target::{LiveMemory, LiveOptions, Module, ModuleKind, link_map_notifier, monotonic_ns};

use super::{LoadedModule, Names, Origin};

/// No address of a program has one of these bits, or any from here on (57-bit virtual addresses, of which a program has half). In
/// addresses of the kernel all of them are set.
const DATE_SHIFT: u32 = 56;

/// The latest date. Modules after it are taken for each other; the bit above it is never set.
const LAST: u8 = 0x7f;

/// An address without its date, and the date.
pub(super) fn undated(address: u64) -> (u64, u8) {
    let date = (address >> DATE_SHIFT) as u8;
    match date > LAST {
        true => (address, 0),
        false => (address & ((1 << DATE_SHIFT) - 1), date),
    }
}

/// What has become of the modules.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// The modules that have come.
    pub(crate) come: Vec<usize>,
    /// Those that have gone.
    pub(crate) gone: Vec<usize>,
}

impl Names {
    /// An address that was seen just now, for the time when another module may be there.
    pub(crate) fn dated(&self, address: u64) -> u64 {
        if !self.reused {
            return address;
        }
        let module = self
            .code_at(address)
            .and_then(|index| self.modules.get(index));
        let generation = module.map_or(0, |module| module.generation);
        address | u64::from(generation) << DATE_SHIFT
    }

    /// When the modules were last looked up, in nanoseconds of the monotonic clock.
    pub(crate) fn looked_up(&self) -> u64 {
        self.looked_up
    }

    /// How often the modules have changed.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// Where the dynamic linker tells that its list has changed.
    pub(crate) fn notifier(&self) -> Option<u64> {
        let Origin::Process(process) = &self.origin else {
            return None;
        };
        let mut memory = LiveMemory::new(process, LiveOptions::default()).ok()?;
        link_map_notifier(&mut memory, &process.auxiliary_vector().ok()?)
    }

    /// Looks up which modules there are now, unless they have changed since, as `changed` tells. A process that has no memory any more
    /// keeps those that it had.
    pub(crate) fn look_again(&mut self, changed: impl Fn() -> bool) -> Changes {
        let Origin::Process(process) = &self.origin else {
            return Changes::default();
        };
        // What happens from now on may not be seen.
        let now = monotonic_ns();
        let Ok(mut memory) = LiveMemory::new(process, LiveOptions::default()) else {
            return Changes::default();
        };
        let auxv = process.auxiliary_vector().unwrap_or_default();
        let found = Module::find_all(&mut memory, &auxv);
        if found.is_empty() || changed() {
            return Changes::default();
        }
        self.looked_up = now;
        self.replace(found)
    }

    /// Of each module that there has been whether it is there.
    pub(crate) fn census(&self) -> Vec<bool> {
        self.modules.iter().map(|module| !module.gone).collect()
    }

    /// Takes a list of modules for the one that holds now.
    fn replace(&mut self, found: Vec<Module>) -> Changes {
        let mut found: Vec<Option<Module>> = found.into_iter().map(Some).collect();
        let mut changes = Changes::default();
        for (index, module) in self.modules.iter_mut().enumerate() {
            if module.gone {
                continue;
            }
            let same = found.iter_mut().find(|found| {
                let found = found.as_ref();
                found.is_some_and(|found| is_same(found, &module.mapped))
            });
            match same.and_then(Option::take) {
                // Parts of it may be protected otherwise by now.
                Some(now) => module.mapped = now,
                None => {
                    module.gone = true;
                    changes.gone.push(index);
                }
            }
        }
        for mapped in found.into_iter().flatten() {
            // One that comes back to where it was is the one that it was, date and all.
            let mut known = self.modules.iter_mut().enumerate();
            let back = known.find(|(_, module)| module.gone && is_same(&mapped, &module.mapped));
            if let Some((index, module)) = back {
                self.unwinder
                    .borrow_mut()
                    .forget(&(mapped.start()..mapped.end()));
                module.gone = false;
                module.mapped = mapped;
                changes.come.push(index);
                continue;
            }
            let mut module = LoadedModule::new(mapped);
            let range = module.mapped.start()..module.mapped.end();
            let before = self.modules.iter().filter(|before| {
                before.mapped.start() < range.end && range.start < before.mapped.end()
            });
            if let Some(latest) = before.map(|before| before.generation).max() {
                module.generation = latest.saturating_add(1).min(LAST);
                self.reused = true;
            }
            self.unwinder.borrow_mut().forget(&range);
            changes.come.push(self.modules.len());
            self.modules.push(module);
        }
        if !changes.come.is_empty() || !changes.gone.is_empty() {
            self.changes += 1;
            self.code = super::stacks::Code::default();
            self.frames.forget();
        }
        changes
    }
}

/// Whether two modules are one: the same file at the same address.
fn is_same(one: &Module, other: &Module) -> bool {
    let place = |module: &Module| {
        let first = module.mappings.first();
        first.map(|first| (first.start, first.offset, first.device, first.inode))
    };
    let vdso = one.kind == ModuleKind::Vdso;
    one.kind == other.kind && place(one) == place(other) && (vdso || one.path == other.path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_told_from_addresses() {
        assert_eq!(undated(0x7fff_1234_5678), (0x7fff_1234_5678, 0));
        let dated = 0x00ff_ffff_ffff_f000 | 3 << DATE_SHIFT;
        assert_eq!(undated(dated), (0x00ff_ffff_ffff_f000, 3));
        // The page of the kernel's that programs may call.
        assert_eq!(undated(0xffff_ffff_ff60_0000), (0xffff_ffff_ff60_0000, 0));
    }
}
