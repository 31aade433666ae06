//! Children of the target that are probed with it (`--children`), and what becomes of them.
//!
//! A child has at its beginning the memory of the process that forked it, so what is known of the target's code holds for it, too. Once
//! either has loaded or unloaded a library, its mappings are looked at: where it has code of the target's modules, or nothing, stacks are
//! followed on. Where it has other code, or has gone, they end at their innermost function.

use std::collections::{BTreeSet, HashMap};

use ytrace_target::Maps;
use ytrace_target::events::{MAX_FAMILY, Site, Source};

use super::Events;
use super::follow::counted;
use super::programs::Programs;
use crate::host::Sink;
use crate::names::LoadedModule;
use crate::session::Session;

/// Processes beyond this number are not looked at for what they have mapped.
const MOST_PROCESSES: usize = 1 << 15;

/// What is known of the code of a child that is probed. The numbers are how often the modules of the target had changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Code {
    /// That of the target's modules, when these had changed so often.
    Same(u64),
    /// Other code is where the target's modules are, when these had changed so often.
    Other(u64),
    /// Nothing.
    Unknown,
}

/// The children of the target.
#[derive(Debug, Default)]
pub(super) struct Children {
    alive: HashMap<i32, Code>,
    seen: u64,
    ended: u64,
    /// How many had no room among those that the kernel follows.
    beyond: u64,
    /// The programs that children executed, with which they were left alone.
    executed: Programs,
    /// How many stacks ended early because of what had been loaded.
    cut: u64,
}

impl Children {
    /// A process was forked, when the modules of the target had changed so often.
    pub(super) fn born(&mut self, pid: i32, target: i32, changes: u64) {
        self.seen = self.seen.saturating_add(1);
        // The target is one of the family.
        if self.alive.len() as u64 + 1 >= u64::from(MAX_FAMILY) {
            self.beyond = self.beyond.saturating_add(1);
            return;
        }
        // It has what its parent has loaded. Of one whose parent cannot be asked for any more, that may be any.
        let code = match parent_of(pid) {
            Some(parent) if parent == target => Code::Same(changes),
            Some(parent) if self.alive.get(&parent) == Some(&Code::Same(changes)) => {
                Code::Same(changes)
            }
            None if self.alive.values().all(|code| *code == Code::Same(changes)) => {
                Code::Same(changes)
            }
            _ => Code::Unknown,
        };
        self.alive.insert(pid, code);
    }

    /// Those that are probed.
    pub(super) fn pids(&self) -> impl Iterator<Item = i32> {
        self.alive.keys().copied()
    }

    /// A child has changed its modules.
    pub(super) fn changed(&mut self, pid: i32) {
        if let Some(code) = self.alive.get_mut(&pid) {
            *code = Code::Unknown;
        }
    }

    /// A child has ended.
    pub(super) fn ended(&mut self, pid: i32) {
        if self.alive.remove(&pid).is_some() {
            self.ended = self.ended.saturating_add(1);
        }
    }

    /// A child has begun to run another program, and is left alone.
    pub(super) fn executed(&mut self, pid: i32) {
        if self.alive.remove(&pid).is_none() {
            return;
        }
        self.executed.count(pid);
    }

    /// Whether what is known of the target's code, whose modules have changed so often, holds for a process; `holds` looks.
    pub(super) fn is_known(
        &mut self,
        pid: i32,
        changes: u64,
        holds: impl FnOnce() -> bool,
    ) -> bool {
        let Some(code) = self.alive.get_mut(&pid) else {
            return false;
        };
        if !matches!(code, Code::Same(at) | Code::Other(at) if *at == changes) {
            *code = match holds() {
                true => Code::Same(changes),
                false => Code::Other(changes),
            };
        }
        *code == Code::Same(changes)
    }

    /// Counts a stack that was not followed.
    pub(super) fn count_cut(&mut self) {
        self.cut = self.cut.saturating_add(1);
    }

    /// What came of them, in words: notes, and what makes the result partial.
    fn told(&self) -> (Vec<String>, Vec<String>) {
        let (mut notes, mut partial) = (Vec::new(), Vec::new());
        let children = match self.seen {
            1 => "1 child was".to_owned(),
            seen => format!("{} children were", ytrace_values::units::thousands(seen)),
        };
        let mut note = format!("{children} forked and probed, {} ended", self.ended);
        let executed = self.executed.executed();
        if executed > 0 {
            note.push_str(&format!(
                ", {} executed another program ({}) and {} not probed from then on",
                ytrace_values::units::thousands(executed),
                self.executed.shown(),
                if executed == 1 { "was" } else { "were" }
            ));
        }
        if self.seen > 0 {
            notes.push(note);
        }
        if self.beyond > 0 {
            partial.push(format!(
                "{} children were not probed: {MAX_FAMILY} processes are the most at a time",
                self.beyond
            ));
        }
        if self.cut > 0 {
            partial.push(format!(
                "{} of children end at the innermost function: they, or the target, had loaded or unloaded libraries, and what they have is not known",
                counted(self.cut, "stack")
            ));
        }
        (notes, partial)
    }
}

impl Session<'_> {
    /// Says what has become of children.
    pub(super) fn note_children(&mut self, events: &Events) {
        let (notes, partial) = events.watch.children.told();
        for note in notes {
            self.result.note(note);
        }
        for partial in partial {
            self.result.partial(partial);
        }
    }

    /// Warns of processes that are none of the target's and come to the probed places, too.
    pub(super) fn warn_of_others<'s>(
        &self,
        sources: impl Iterator<Item = &'s Source>,
        sink: &mut dyn Sink,
    ) {
        let mut files = BTreeSet::new();
        let mut modules = BTreeSet::new();
        let sites = sources.filter_map(|source| match source {
            Source::Sites(sites) => Some(sites),
            _ => None,
        });
        for site in sites.flatten() {
            files.extend(identity(site));
        }
        for module in self.names.modules() {
            if let Some(first) = module.mapped.mappings.first()
                && files.contains(&first.inode)
            {
                modules.insert(module.file_name.clone());
            }
        }
        let others = others_with(&files, self.target.pid());
        if others > 0 {
            let modules: Vec<String> = modules.into_iter().collect();
            let have = match others {
                1 => "1 other process has".to_owned(),
                _ => format!("{others} other processes have"),
            };
            sink.warn(&format!(
                "with --children {have} {} mapped: they are not shown, but run slower at the probed places, about 1 µs a hit",
                modules.join(", ")
            ));
        }
    }
}

fn identity(site: &Site) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    Some(site.file.metadata().ok()?.ino())
}

/// How many processes other than this one and the target have files mapped with these inodes.
fn others_with(inodes: &BTreeSet<u64>, target: i32) -> usize {
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    let Ok(list) = std::fs::read_dir("/proc") else {
        return 0;
    };
    let pids = list.flatten().filter_map(|entry| {
        let name = entry.file_name();
        name.to_str()?.parse::<i32>().ok()
    });
    pids.filter(|pid| *pid != own && *pid != target)
        .take(MOST_PROCESSES)
        .filter(|pid| {
            // One that has gone, or may not be looked at, is not counted.
            let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
            maps.lines().any(|line| {
                let inode = line.split_ascii_whitespace().nth(4);
                inode
                    .and_then(|inode| inode.parse().ok())
                    .is_some_and(|inode| inodes.contains(&inode))
            })
        })
        .count()
}

/// Whether a process has the code of these modules, or nothing, wherever they have code.
pub(super) fn has_code_of(pid: i32, modules: &[LoadedModule]) -> bool {
    let Ok(text) = std::fs::read(format!("/proc/{pid}/maps")) else {
        return false;
    };
    let maps = Maps::parse(&text);
    let here = modules.iter().filter(|module| !module.gone);
    let code = here.flat_map(|module| &module.mapped.mappings);
    let mut code = code.filter(|mapping| mapping.permissions.execute);
    // One that ends has no memory any more.
    !maps.as_slice().is_empty()
        && code.all(|mapping| {
            let mut there = maps.overlapping(mapping.range());
            there.all(|one| {
                let distance = one.start.wrapping_sub(mapping.start);
                let offset = mapping.offset.wrapping_add(distance);
                (one.device, one.inode) == (mapping.device, mapping.inode)
                    && (one.inode == 0 || one.offset == offset)
            })
        })
}

/// The parent of a process, if it is still there.
fn parent_of(pid: i32) -> Option<i32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_are_counted_and_known_until_something_changes() {
        let mut children = Children::default();
        // No process has such a number, so nobody's parent is known.
        let [first, second, third] = [i32::MAX - 2, i32::MAX - 1, i32::MAX];
        children.born(first, 1, 3);
        children.born(second, 1, 3);
        let unasked = || -> bool { panic!("it is known") };
        assert!(children.is_known(first, 3, unasked));
        assert!(!children.is_known(third, 3, unasked));
        // It is looked at again after each change, once.
        assert!(!children.is_known(first, 4, || false) && !children.is_known(first, 4, unasked));
        assert!(children.is_known(first, 5, || true) && children.is_known(first, 5, unasked));
        children.changed(second);
        assert!(!children.is_known(second, 3, || false));
        // It may be a child of the one that has other code.
        children.born(third, 1, 5);
        assert!(!children.is_known(third, 5, || false));
        children.ended(first);
        children.ended(first);
        children.executed(second);
        children.count_cut();
        let (notes, partial) = children.told();
        assert_eq!(
            notes,
            [
                "3 children were forked and probed, 1 ended, 1 executed another program (another program) and was not probed from then on"
            ]
        );
        assert_eq!(partial.len(), 1, "{partial:?}");
    }
}
