//! The functions that stand for a frame of a stack, and code that compilers made in the target's memory.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use ytrace_debuginfo::PerfMap;
use ytrace_target::Process;

use super::changes::undated;
use super::{Names, Origin};

/// The most addresses whose functions are kept.
const MAX_KEPT: usize = 1 << 16;

/// How long what was read of the names of made code holds before it is looked at again for an address that is not there.
const FRESH: Duration = Duration::from_millis(100);

/// The most that is read of the names of made code at once, in bytes.
const MAX_READ: u64 = 64 << 20;

/// What has been looked up.
#[derive(Default)]
pub(super) struct Frames {
    /// The functions at addresses.
    kept: RefCell<HashMap<u64, Rc<[String]>>>,
    made: RefCell<Made>,
}

/// The names of code that a just-in-time compiler has made, from the file that it writes for `perf`.
#[derive(Default)]
struct Made {
    names: PerfMap,
    /// The device and the inode of the file, and how much of it was read.
    file: Option<(u64, u64)>,
    read: u64,
    /// When it was looked at.
    since: Option<Instant>,
}

impl Made {
    /// Reads what is new. A file that cannot be read has no names.
    fn look(&mut self, process: &Process) -> Option<()> {
        // The process writes the number that it knows itself by, to what it sees as /tmp.
        let own = *process.facts().ok()?.namespace_pids.last()?;
        let path = format!("/tmp/perf-{own}.map");
        let mut file = process.open_in_root(Path::new(&path)).ok()?;
        let status = file.metadata().ok()?;
        let identity = Some((status.dev(), status.ino()));
        if self.file != identity || status.len() < self.read {
            self.names.clear();
            (self.file, self.read) = (identity, 0);
        }
        file.seek(SeekFrom::Start(self.read)).ok()?;
        let mut file = file.take(MAX_READ);
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = file.read(&mut buffer).ok()?;
            let bytes = buffer.get(..count).filter(|bytes| !bytes.is_empty())?;
            self.names.extend(bytes);
            self.read += count as u64;
        }
    }
}

impl Frames {
    /// Forgets what was at which address.
    pub(super) fn forget(&self) {
        self.kept.borrow_mut().clear();
    }
}

impl Names {
    /// What of the names that a just-in-time compiler has written could not be used, in lines.
    pub(crate) fn skipped_made_names(&self) -> u64 {
        self.frames.made.borrow().names.skipped()
    }

    /// The functions that are being executed at an address of code: those inlined there, the innermost first, then the one
    /// whose code it is. Inlined ones are marked so, as `perf` does. At the entry of a function nothing inlined has begun.
    pub(crate) fn frames(&self, address: u64) -> Rc<[String]> {
        if let Some(known) = self.frames.kept.borrow().get(&address) {
            return Rc::clone(known);
        }
        let mut names = self.inlined_at(address);
        names.push(self.frame(address));
        let names: Rc<[String]> = names.into();
        let mut kept = self.frames.kept.borrow_mut();
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(address, Rc::clone(&names));
        names
    }

    /// The names of the functions inlined at an address, marked, the innermost first.
    pub(crate) fn inlined_at(&self, address: u64) -> Vec<String> {
        if !self.show_inlined {
            return Vec::new();
        }
        let module = self.module_at(address);
        let Some(opened) = module.and_then(|module| self.open(module).ok()) else {
            return Vec::new();
        };
        let symbol = opened
            .info
            .symbolize(undated(address).0.wrapping_sub(opened.bias));
        if symbol.offset == 0 && symbol.linkage_name.is_some() {
            return Vec::new();
        }
        let inlined = symbol.inlined.into_iter();
        inlined
            .map(|frame| format!("{} (inlined)", frame.name))
            .collect()
    }

    /// The name that a just-in-time compiler of the target gave to the code at an address, and the offset in it.
    pub(super) fn made_name(&self, address: u64) -> Option<(String, u64)> {
        let Origin::Process(process) = &self.origin else {
            return None;
        };
        let mut made = self.frames.made.borrow_mut();
        let stale = made.since.is_none_or(|since| since.elapsed() >= FRESH);
        if made.names.name(address).is_none() && stale {
            made.look(process);
            made.since = Some(Instant::now());
        }
        let (name, offset) = made.names.name(address)?;
        Some((name.to_owned(), offset))
    }
}
